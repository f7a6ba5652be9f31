// Everything the page says. Both catalogues have the same words; a test holds them to it.
export const LANGUAGES = { en: "English", ru: "Русский" };

export const WORDS = {
  en: {
    brand: "Health kiosk",
    far: "far", near: "near",
    distance: "How near you are",
    soft: "soft", loud: "loud",
    level: "How loud you are",
    speak: ["Please speak", "As you like, in your usual voice. The bar shows that you are heard."],
    unheard: "The microphone is not allowed. Allow it in the browser, then load the page again.",
    mute: "There is no microphone. Please call the staff.",
    privacy: "Your picture stays on this machine and is not kept. Only colours and movements are measured.",
    privacySound: "Your voice stays on this machine and is not kept: what you say is not recognised. Only its sound is measured.",
    waiting: ["One moment", "The kiosk is getting ready."],
    seat: ["Please take a seat", "The measurement will begin shortly."],
    nobody: ["Please look here", "Your face is not in the picture yet."],
    several: ["One person at a time, please", "There is more than one face in the picture."],
    closer: ["Please come closer", "Until the bar is full."],
    farther: ["A little farther back, please", "Your whole face should be in the oval."],
    middle: ["Please move to the middle", "Your face should be in the oval."],
    brighter: ["It is too dark here", "Please turn on a light, or turn your face towards it."],
    darker: ["It is too bright here", "Please turn a little away from the light."],
    still: ["Please hold still", "Sit comfortably and breathe as you like."],
    good: ["Well done, stay like this", "Breathe as you like. You may blink."],
    denied: ["The camera is not allowed", "Allow it in the browser, then try again."],
    missing: ["There is no camera", "Please call the staff: it may be unplugged, or in use."],
    taken: ["The page is open elsewhere", "Another window of this kiosk has the camera."],
    lost: ["One moment", "The kiosk is being connected again."],
    retry: "Try again",
  },
  ru: {
    brand: "Киоск здоровья",
    far: "далеко", near: "близко",
    distance: "Как близко вы сидите",
    soft: "тихо", loud: "громко",
    level: "Как громко вы говорите",
    speak: ["Говорите, пожалуйста", "О чём хотите, обычным голосом. Полоса показывает, что вас слышно."],
    unheard: "Микрофон не разрешён. Разрешите его в браузере и обновите страницу.",
    mute: "Микрофон не найден. Позовите сотрудника.",
    privacy: "Изображение не покидает это устройство и не сохраняется. Измеряются только цвет и движения.",
    privacySound: "Голос не покидает это устройство и не сохраняется: слова не распознаются. Измеряется только звучание.",
    waiting: ["Минутку", "Киоск готовится к работе."],
    seat: ["Пожалуйста, присядьте", "Измерение скоро начнётся."],
    nobody: ["Посмотрите сюда, пожалуйста", "Вашего лица пока нет в кадре."],
    several: ["По одному, пожалуйста", "В кадре больше одного лица."],
    closer: ["Подойдите ближе, пожалуйста", "Пока полоса не заполнится."],
    farther: ["Чуть дальше, пожалуйста", "Лицо должно целиком помещаться в овал."],
    middle: ["Сядьте посередине, пожалуйста", "Лицо должно быть в овале."],
    brighter: ["Здесь слишком темно", "Включите свет или повернитесь лицом к нему."],
    darker: ["Здесь слишком ярко", "Отвернитесь немного от света."],
    still: ["Не двигайтесь, пожалуйста", "Сядьте удобно и дышите как обычно."],
    good: ["Отлично, оставайтесь так", "Дышите как обычно. Моргать можно."],
    denied: ["Камера не разрешена", "Разрешите её в браузере и попробуйте ещё раз."],
    missing: ["Камера не найдена", "Позовите сотрудника: она отключена или занята."],
    taken: ["Страница уже открыта", "Камера занята другим окном этого киоска."],
    lost: ["Минутку", "Связь с киоском восстанавливается."],
    retry: "Попробовать ещё раз",
  },
};

export function preferred() {
  const asked = new URLSearchParams(location.search).get("lang");
  const wanted = [asked, ...navigator.languages].filter(Boolean).map((each) => each.slice(0, 2).toLowerCase());
  return wanted.find((each) => each in WORDS) ?? "en";
}
