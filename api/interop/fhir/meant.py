"""What the codes of a search mean: measures, and what else the store calls observations."""

from collections.abc import Mapping

from api.interop.fhir import codes
from kiosk.measures import OWN

_ECG, _PANEL = "ecg", "vitals"
"""What the store calls observations that are no readings."""
_PRESSURES = frozenset({codes.SYSTOLIC, codes.DIASTOLIC})


def _codes_meant() -> Mapping[tuple[str | None, str], frozenset[str]]:
    found: dict[tuple[str | None, str], set[str]] = {}
    told = [(code, {name}) for name, coded in codes.TABLE.items() if name not in _PRESSURES for code in coded.codes]
    told += [(codes.BLOOD_PRESSURE, set(_PRESSURES)), (codes.VITALS_PANEL, {_PANEL}), (codes.ECG, {_ECG})]
    told.append((codes.Code(OWN, "blood_pressure", ""), set(_PRESSURES)))
    for code, names in told:
        for system in (code.system, None):
            found.setdefault((system, code.code), set()).update(names)
    return {key: frozenset(names) for key, names in found.items()}


def _components_meant() -> Mapping[tuple[str | None, str], frozenset[str]]:
    # every blood pressure has both components, and an electrocardiogram has its leads
    told = [(code, _PRESSURES) for name in _PRESSURES for code in codes.TABLE[name].codes]
    told += [(code, frozenset({_ECG})) for code in (codes.ECG, *codes.LEADS.values())]
    return {(system, code.code): names for code, names in told for system in (code.system, None)}


def _categories_meant() -> Mapping[tuple[str | None, str], frozenset[str]]:
    told = {
        codes.VITAL_SIGNS: frozenset({*codes.VITALS, _PANEL}),
        **{
            category: frozenset(name for name, coded in codes.TABLE.items() if coded.category == category)
            for category in (codes.EXAM, codes.SURVEY)
        },
        codes.PROCEDURE: frozenset({_ECG}),
    }
    return {(system, code): names for code, names in told.items() for system in (codes.CATEGORY, None)}


MEANT: Mapping[str, Mapping[tuple[str | None, str], frozenset[str]]] = {
    "code": _codes_meant(),
    "component-code": _components_meant(),
    "category": _categories_meant(),
}
"""By parameter: what a system (None is any) and a code are called in the store."""
