// The button in a page's head that logs out.

import { ask } from "../api.js";
import { byId } from "../elements.js";

byId("leave").addEventListener("click", async () => {
  try {
    await ask("account/logout", { method: "POST" });
  } finally {
    // where it could not be ended here, it has ended already, or the server is away: the page there says which
    location.assign("/login");
  }
});
