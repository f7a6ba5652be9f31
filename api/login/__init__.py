"""Who comes in: passwords, second factors, tokens and cookies, and the gate that knows whose request it is."""

from api.login.desk import Desk
from api.login.gate import Gate

__all__ = ["Desk", "Gate"]
