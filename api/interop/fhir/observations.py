"""Observations: readings, blood pressure, the panel of a session's vital signs, the electrocardiogram."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.interop.fhir import codes
from api.interop.fhir.codes import Code
from api.interop.fhir.shapes import (
    Annotation,
    CodeableConcept,
    Component,
    Extension,
    Meta,
    Observation,
    Quantity,
    Range,
    Reference,
    SampledData,
)
from api.interop.fhir.words import (
    OUTWARD,
    concept,
    decimal,
    extension_url,
    fhir_id,
    meta,
    period,
    quantity,
    reference,
    subject,
)
from api.store.fhir import WINDOW_NS
from api.tables import ReadingRow, SessionRow
from kiosk.measures import MEASURES, OWN, Measure
from kiosk.messages import SECOND

QUANTUM: Final = Decimal("0.001")
"""Millivolts that one step of a SampledData is: a fifth of the coarsest that IEC 60601-2-25:2011 lets an
electrocardiograph have (5 uV)."""
WINDOW: Final = WINDOW_NS // SECOND
"""Seconds of electrocardiogram in one Observation: 12 leads at 500 Hz stay under a megabyte."""
_CATEGORIES = {
    codes.VITAL_SIGNS: Code(codes.CATEGORY, codes.VITAL_SIGNS, "Vital Signs"),
    codes.EXAM: Code(codes.CATEGORY, codes.EXAM, "Exam"),
    codes.SURVEY: Code(codes.CATEGORY, codes.SURVEY, "Survey"),
    codes.PROCEDURE: Code(codes.CATEGORY, codes.PROCEDURE, "Procedure"),
}
_PRESSURE = Code(OWN, "blood_pressure", "Blood pressure")


@dataclass(frozen=True, slots=True)
class Around:
    """What an observation is told among: all of it is the session's."""

    session: SessionRow
    updated: int
    devices: frozenset[str] = frozenset()
    """Devices of its kiosk that have a resource."""


@dataclass(frozen=True, slots=True)
class Told:
    """A reading with what else is known of it."""

    row: ReadingRow
    id: str
    """The same for every revision's."""
    amended: bool = False
    """An earlier revision told it, too."""
    device: str | None = None
    waveforms: tuple[str, ...] = ()
    """Ids of the observations of the waveforms that it was made of."""


def of_reading(told: Told, around: Around) -> Observation:
    """A number or the reason of its absence."""
    row = told.row
    coded = codes.TABLE.get(row.measure)
    measure = MEASURES.get(row.measure) or Measure(row.measure, row.measure, "1", float("-inf"), float("inf"), 2)
    # a measure that this version does not know any more is still told, under its own name
    category = coded.category if coded else codes.EXAM
    profiles = ("vitalsigns", coded.profile) if coded and coded.profile else ()
    return Observation(
        id=told.id,
        meta=_meta(row, around, profiles),
        extension=(*_of_analysis(row), *_doubt(row)),
        status="amended" if told.amended else "final",
        category=(concept(_CATEGORIES[category]),),
        code=concept(*(coded.codes if coded else (Code(OWN, row.measure, row.measure),)), text=measure.title),
        subject=subject(around.session.patient_id),
        encounter=reference("Encounter", fhir_id(around.session.id)),
        effective_period=period(*_window(row, around.session)),
        issued=_issued(around),
        value_quantity=_value(row),
        data_absent_reason=_absent(row),
        note=(Annotation(text=row.note),) if row.note else (),
        method=_method(row),
        device=_device(told, around),
        derived_from=tuple(reference("Observation", each) for each in told.waveforms),
    )


def of_pressure(told: Told, other: ReadingRow | None, around: Around) -> Observation:
    """Blood pressure: one of the two readings, and the other where there is one. What is not there has a reason."""
    rows = {row.measure: row for row in (told.row, other) if row is not None}
    first = told.row
    return Observation(
        id=told.id,
        meta=_meta(first, around, ("vitalsigns", "bp")),
        extension=_of_analysis(first),
        status="amended" if told.amended else "final",
        category=(concept(_CATEGORIES[codes.VITAL_SIGNS]),),
        code=concept(codes.BLOOD_PRESSURE, _PRESSURE, text="Blood pressure"),
        subject=subject(around.session.patient_id),
        encounter=reference("Encounter", fhir_id(around.session.id)),
        effective_period=period(*_window(first, around.session)),
        issued=_issued(around),
        note=tuple(Annotation(text=row.note) for row in rows.values() if row.note),
        method=_method(first),
        device=_device(told, around),
        component=tuple(_component(name, rows.get(name)) for name in (codes.SYSTOLIC, codes.DIASTOLIC)),
    )


def of_vitals(members: Sequence[str], around: Around) -> Observation:
    """The panel of all vital signs of a session."""
    session = around.session
    begin = session.origin_utc_ns
    end = None if begin is None or session.ended_ns is None else begin + session.ended_ns
    return Observation(
        id=f"v-{fhir_id(session.id)}",
        meta=meta(
            max(session.revision, 1),
            around.updated,
            simulated=session.simulated,
            profiles=("vitalsigns", "vitalspanel"),
        ),
        status="amended" if session.revision > 1 else "final",
        category=(concept(_CATEGORIES[codes.VITAL_SIGNS]),),
        code=concept(codes.VITALS_PANEL),
        subject=subject(session.patient_id),
        encounter=reference("Encounter", fhir_id(session.id)),
        effective_period=period(begin, end),
        issued=_issued(around),
        has_member=tuple(reference("Observation", each) for each in members),
    )


@dataclass(frozen=True, slots=True)
class Trace:
    """A stretch of electrocardiogram on its grid, NaN where a sample is missing."""

    id: str
    device: str
    start_ns: int
    rate: float
    channels: tuple[str, ...]
    samples: NDArray[np.float32]
    """A row per sample, millivolts."""


def of_trace(trace: Trace, around: Around) -> Observation:
    """An electrocardiogram: a component per lead."""
    origin = around.session.origin_utc_ns
    start = None if origin is None else origin + trace.start_ns
    last = trace.start_ns + round((len(trace.samples) - 1) * SECOND / trace.rate)
    return Observation(
        id=trace.id,
        meta=meta(1, around.updated, simulated=around.session.simulated),
        extension=(Extension(url=extension_url("source"), value_string=f"ecg.{trace.device}"),),
        status="final",
        category=(concept(_CATEGORIES[codes.PROCEDURE]),),
        code=concept(codes.ECG, text="Electrocardiogram"),
        subject=subject(around.session.patient_id),
        encounter=reference("Encounter", fhir_id(around.session.id)),
        effective_period=period(start, None if origin is None else origin + last),
        issued=_issued(around),
        device=_device_of(trace.device, around),
        component=tuple(
            Component(
                code=concept(codes.lead(name), text=f"Lead {name}"),
                value_sampled_data=sampled(trace.samples[:, number], trace.rate),
            )
            for number, name in enumerate(trace.channels)
        ),
    )


def sampled(millivolts: NDArray[np.float32], rate: float) -> SampledData:
    """Samples as whole steps of a microvolt; E for one that is missing."""
    missing = np.isnan(millivolts)
    steps = np.rint(np.where(missing, 0.0, millivolts.astype(np.float64)) / float(QUANTUM)).astype(np.int64)
    said = ("E" if lost else str(step) for lost, step in zip(missing.tolist(), steps.tolist(), strict=True))
    return SampledData(
        origin=Quantity(value=0, unit="mV", system=codes.UCUM, code="mV"),
        period=Decimal(repr(round(1000 / rate, 9))),
        factor=QUANTUM,
        dimensions=1,
        data=" ".join(said),
    )


def is_vital(measure: str) -> bool:
    """Whether a measure is a vital sign."""
    return measure in codes.VITALS


def _meta(row: ReadingRow, around: Around, profiles: Iterable[str]) -> Meta:
    return meta(
        max(row.revision, 1), around.updated, simulated=around.session.simulated, profiles=tuple(profiles)
    )  # fmt: skip


def _issued(around: Around) -> str:
    return meta(1, around.updated).last_updated or ""


def _window(row: ReadingRow, session: SessionRow) -> tuple[int | None, int | None]:
    if session.origin_utc_ns is None:
        return None, None
    return session.origin_utc_ns + row.start_ns, session.origin_utc_ns + row.end_ns


def _component(name: str, row: ReadingRow | None) -> Component:
    if row is None:
        missing = concept(*codes.absent("not_delivered"))
        return Component(code=concept(*codes.TABLE[name].codes), data_absent_reason=missing)
    return Component(
        extension=_doubt(row),
        code=concept(*codes.TABLE[name].codes),
        value_quantity=_value(row),
        data_absent_reason=_absent(row),
    )


def _quantity(row: ReadingRow, value: float, rounding: str | None = None) -> Quantity:
    measure, coded = MEASURES.get(row.measure), codes.TABLE.get(row.measure)
    decimals, ucum, unit = (measure.decimals, measure.unit, coded.unit) if measure and coded else (2, "1", "1")
    return quantity(value, decimals, unit, ucum, *((rounding,) if rounding else ()))


def _value(row: ReadingRow) -> Quantity | None:
    return None if row.value is None else _quantity(row, row.value)


def _absent(row: ReadingRow) -> CodeableConcept | None:
    return None if row.value is not None else concept(*codes.absent(row.absent or "unknown"))


def _method(row: ReadingRow) -> CodeableConcept:
    return concept(Code(codes.METHODS, row.method, row.method), text=row.method)


def _doubt(row: ReadingRow) -> tuple[Extension, ...]:
    """Interval, quality, and whether it is the one to show."""
    said = [Extension(url=extension_url("preferred"), value_boolean=row.preferred)]
    if row.low is not None and row.high is not None:
        low, high = (_quantity(row, end, way) for end, way in zip((row.low, row.high), OUTWARD, strict=True))
        said.append(Extension(url=extension_url("interval-95"), value_range=Range(low=low, high=high)))
    if row.quality is not None:
        said.append(Extension(url=extension_url("quality"), value_decimal=Decimal(decimal(row.quality, 3))))
    return tuple(said)


def _of_analysis(row: ReadingRow) -> tuple[Extension, ...]:
    """What made it, from what."""
    said = [
        Extension(url=extension_url("source"), value_string=row.source),
        Extension(url=extension_url("scope"), value_code=row.scope),
        Extension(url=extension_url("software-version"), value_string=row.version),
        Extension(url=extension_url("revision"), value_integer=row.revision),
    ]
    if row.model:
        said.append(Extension(url=extension_url("model-sha256"), value_string=row.model))
    return tuple(said)


def _device(told: Told, around: Around) -> Reference | None:
    return None if told.device is None else _device_of(told.device, around)


def _device_of(name: str, around: Around) -> Reference:
    if name in around.devices:
        return reference("Device", fhir_id(around.session.kiosk, name), display=name)
    # it never said anything of itself: there is no resource to point to
    return Reference(display=name)
