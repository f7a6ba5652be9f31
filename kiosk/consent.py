"""The consent texts, English and Russian, as migrations 0003 and 0004 store them. Never changed: people agreed to them.

It says what this product does, in words for visitors. Whether it suffices where a clinic is, its lawyers know.
"""

FIRST_VERSION, VERSION = "2026-1", "2026-2"
"""The second asks about the talk with the assistant too, and says what becomes of a session that is not stored."""
CREATED_NS, SECOND_CREATED_NS = 1_767_225_600_000_000_000, 1_790_812_800_000_000_000
"""2026-01-01 and 2026-10-01 UTC."""

_ENGLISH = """\
What you may agree to

You are asked about four things. Each is separate: you may agree to one and not to another. You may take back any of
them at any time, without giving a reason and without disadvantage to your treatment. Ask the staff.

1. Measuring (measure)
The kiosk measures signals of your heart, breath, brain, face and voice for a few minutes with sensors and, where you
see a camera or a microphone, with these. Pictures and sound are looked at in the kiosk and dropped there: neither is
kept or sent; numbers about skin colour, movement, expression and voice are. From the signals numbers are computed,
such as heart rate, breathing rate, and estimates of stress and mood. They are aids for trained staff. They are not a
diagnosis, and they can be wrong. You may stop at any moment.
If you do not agree, nothing is measured.

2. Storing (store)
The signals, your answers and the notes of staff are stored encrypted; the numbers computed from the signals are
stored under a code instead of your name. Who you are is kept apart from them, encrypted as well. Staff of this clinic
see what they need for their work, and every look at it is recorded. Your earlier sessions are compared with later
ones.
If you take this back, your sessions are erased at the next clean-up: the keys to them are destroyed, which also makes
copies in backups unreadable, and the computed numbers are deleted. A few traces without your name may remain: that
something was erased and when, and numbers under the code in backups until those are replaced.

3. Sharing with your record (share)
Results are passed on to the electronic record system of this clinic or of those who treat you. There the rules of
that system apply. Taking this back stops further transfers; it cannot call back what was passed on already.

4. Research (research)
Your signals and numbers are used for research without name, exact birth date or contact. They say your age in broad
steps and your sex. Nobody can promise that a person can never be recognised by signals of the body, so researchers
must not try. Taking this back removes you from every later export; it cannot call back what was exported already.

You may ask at any time what is stored about you, receive it, have mistakes corrected, and have everything erased.
"""

_RUSSIAN = """\
На что вы можете согласиться

Вас спрашивают о четырёх вещах. Каждая отдельна: можно согласиться на одно и не соглашаться на другое. Любое согласие
можно отозвать в любое время, не объясняя причин и без ущерба для вашего лечения. Обратитесь к сотрудникам.

1. Измерение (measure)
Киоск в течение нескольких минут измеряет сигналы сердца, дыхания, мозга, лица и голоса датчиками, а там, где вы
видите камеру или микрофон, - и с их помощью. Изображение и звук обрабатываются в самом киоске и там же отбрасываются:
они не хранятся и никуда не передаются; передаются числа о цвете кожи, движении, выражении лица и голосе. По сигналам
вычисляются числа: частота пульса и дыхания, оценки стресса и настроения. Они помогают обученным сотрудникам. Это не
диагноз, и они могут быть ошибочны. Вы можете прервать измерение в любой миг.
Если вы не согласны, ничего не измеряется.

2. Хранение (store)
Сигналы, ваши ответы и заметки сотрудников хранятся зашифрованными; вычисленные по сигналам числа хранятся под кодом
вместо имени. Кто вы, хранится отдельно и тоже зашифровано. Сотрудники этой клиники видят то, что нужно им для работы,
и каждый просмотр записывается. Ваши прежние сеансы сравниваются с последующими.
Если вы отзовёте это согласие, ваши сеансы будут стёрты при ближайшей очистке: ключи к ним уничтожаются, отчего и
копии в резервных архивах становятся нечитаемыми, а вычисленные числа удаляются. Могут остаться немногие следы без
вашего имени: что и когда было стёрто, а также числа под кодом в резервных копиях, пока те не будут заменены.

3. Передача в медицинскую карту (share)
Результаты передаются в электронную карту этой клиники или тех, кто вас лечит. Там действуют правила той системы.
Отзыв прекращает дальнейшую передачу; уже переданное он вернуть не может.

4. Исследования (research)
Ваши сигналы и числа используются для исследований без имени, точной даты рождения и контактов. В них указаны ваш
возраст крупными ступенями и пол. Никто не может обещать, что человека нельзя узнать по сигналам его тела, поэтому
исследователям запрещено пытаться это сделать. Отзыв исключает вас из всех последующих выгрузок; уже выгруженное он
вернуть не может.

Вы можете в любое время узнать, что о вас хранится, получить это, исправить ошибки и потребовать стереть всё.
"""

_UNSTORED_ENGLISH = """\
If you do not agree, you are shown your results, and half an hour later the session is erased.
"""
_UNSTORED_RUSSIAN = """\
Если вы не согласны, вам покажут результаты, а через полчаса сеанс будет стёрт.
"""

_TALK_ENGLISH = """\
5. The conversation with the assistant (talk)
The kiosk can talk with you about your results. What you and the assistant said is stored encrypted with your session,
and clinicians of this clinic may read it. You can talk with the assistant without agreeing: then nothing of it is kept.
If you take this back, what was kept of your conversations is deleted at the next clean-up.

"""
_TALK_RUSSIAN = """\
5. Разговор с помощником (talk)
Киоск может поговорить с вами о ваших результатах. Сказанное вами и помощником хранится зашифрованным вместе с вашим
сеансом, и врачи этой клиники могут это прочесть. Поговорить можно и без согласия: тогда от разговора ничего не
сохраняется. Если вы отзовёте это согласие, сохранённые разговоры будут удалены при ближайшей очистке.

"""


def _with_talk(text: str, count: tuple[str, str], unstored: str, talk: str, end: str) -> str:
    """The first text with a fifth purpose, and with what becomes of a session that is not stored."""
    return text.replace(*count).replace("\n\n3. ", f"\n{unstored}\n3. ").replace(f"\n\n{end}", f"\n\n{talk}{end}")


FIRST = tuple(
    {"version": FIRST_VERSION, "language": language, "text": text, "created_ns": CREATED_NS}
    for language, text in (("en", _ENGLISH), ("ru", _RUSSIAN))
)
SECOND = tuple(
    {"version": VERSION, "language": language, "text": text, "created_ns": SECOND_CREATED_NS}
    for language, text in (
        ("en", _with_talk(_ENGLISH, ("four things", "five things"), _UNSTORED_ENGLISH, _TALK_ENGLISH, "You may ask")),
        (
            "ru",
            _with_talk(
                _RUSSIAN, ("четырёх вещах", "пяти вещах"), _UNSTORED_RUSSIAN, _TALK_RUSSIAN, "Вы можете в любое время"
            ),
        ),
    )
)
