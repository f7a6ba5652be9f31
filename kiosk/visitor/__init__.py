"""What a visitor reads and hears, at the kiosk and behind the link: one catalogue per language, the same keys in each.

A third language is one more file here. Questionnaires and protocols bring their own words (`kiosk/questionnaires`,
`kiosk/protocols`): an instrument's translation is a matter of validation, not of a page.
"""

from importlib.resources import files

from kiosk import wording

WORDS = wording.read(files("kiosk.visitor"))
