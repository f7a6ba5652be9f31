"""What the spectra of a montage say: one answer for each measure, or why there is none. Live and final use these.

Asymmetry: Davidson 1992, doi:10.1016/0278-2626(92)90065-T. Theta/beta: Lubar 1991, doi:10.1007/BF01000016. Engagement:
Pope, Bogart & Bartolome 1995, doi:10.1016/0301-0511(95)05116-3. Slowing: theta over alpha (Klimesch 1999,
doi:10.1016/S0165-0173(98)00056-3). Hjorth's parameters: Hjorth 1970, doi:10.1016/0013-4694(70)90143-4, from the moments
of the spectrum, so that they depend on no sampling rate. Differential entropy: Duan 2013, doi:10.1109/NER.2013.6695876.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.eeg import montage, spectra
from analytics.eeg.bands import ALPHA, BETA, LOWEST, THETA, carried, top, weights
from analytics.eeg.montage import Place
from analytics.eeg.spectra import Background, Floats
from kiosk.measures import BANDS, Reason

METHOD = "eeg-welch-2s-1"
POSSIBLE = 100.0
"""Microvolt (root mean square, 1 to 45 Hz, the middle channel) above which it is no waking EEG, or in another unit."""
MOST_NAMED = 8
"""Channels that a note names."""
POWERS = tuple(f"eeg_{band}" for band in BANDS)
SHARES = tuple(f"eeg_{band}_relative" for band in BANDS)
ENTROPIES = tuple(f"eeg_{band}_entropy" for band in BANDS)
HJORTH = ("eeg_activity", "eeg_mobility", "eeg_complexity")
IN_MICROVOLT = frozenset({*POWERS, *ENTROPIES, "eeg_activity"})
"""What hangs on the unit; everything else is a ratio or a frequency."""
LIVE = (*POWERS, *SHARES, "eeg_alpha_peak", "eeg_asymmetry", "eeg_engagement", "eeg_slowing")
FINAL = (
    *POWERS, *SHARES, *ENTROPIES, *HJORTH,
    "eeg_alpha_peak", "eeg_exponent", "eeg_asymmetry", "eeg_theta_beta", "eeg_engagement", "eeg_slowing",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """The mean spectra of the channels, and which of them can be used."""

    rate: float
    places: tuple[Place, ...]
    power: Floats
    """(channels, frequencies) in uV2/Hz."""
    good: NDArray[np.bool_]
    why: tuple[Reason, ...]
    """Of each channel, what is in the way where it cannot be used."""
    logs: Floats | None = None
    """(channels, bands): the mean logarithm of the band powers of the windows; live there is none."""

    @property
    def bands(self) -> Floats:
        """(channels, bands) in uV2, NaN where the rate does not carry a band."""
        found = self.power @ weights(spectra.frequencies(self.rate), self.rate)
        return np.where(carried(self.rate), found, np.nan)

    @property
    def amplitude(self) -> float:
        """Root mean square of the middle good channel in microvolt."""
        total = np.nansum(self.bands[self.good], axis=1)
        return float(np.sqrt(np.median(total))) if len(total) else 0.0


@dataclass(frozen=True, slots=True)
class Feature:
    """A measure's value, or why it has none."""

    measure: str
    value: float | None
    method: str = METHOD
    absent: Reason | None = None
    note: str = ""


def features(picture: Picture, wanted: tuple[str, ...] = FINAL) -> list[Feature]:
    """Those of the measures that are wanted, in that order."""
    made = {each.measure: each for each in _all(picture)}
    loud = picture.amplitude > POSSIBLE
    return [_in_another_unit(made[name], picture) if loud else made[name] for name in wanted]


def hjorth(power: Floats, found: Floats, rate: float) -> tuple[float, float, float]:
    """Activity (uV2), mobility (1/s) and complexity of a spectrum, from its zeroth, second and fourth moment."""
    step = float(found[1] - found[0])
    share = np.clip((np.minimum(found + step / 2, top(rate)) - np.maximum(found - step / 2, LOWEST)) / step, 0.0, 1.0)
    turning = np.square(2.0 * np.pi * found)
    zeroth, second, fourth = (float((power * share * turning**order).sum() * step) for order in (0, 1, 2))
    mobility = np.sqrt(second / zeroth)
    return zeroth, float(mobility), float(np.sqrt(fourth / second) / mobility)


def differential_entropy(variance: Floats) -> Floats:
    """Nats of a Gaussian of these variances (uV2)."""
    return np.asarray(0.5 * np.log(2.0 * np.pi * np.e * variance))


def asymmetry(left: float, right: float) -> float:
    """ln(right) - ln(left): positive where alpha is stronger on the right."""
    return float(np.log(right) - np.log(left))


def mean_log(picture: Picture, channels: NDArray[np.intp]) -> Floats:
    """Log10 of the density, the mean of these channels."""
    floor = np.finfo(np.float64).tiny
    return np.asarray(np.log10(np.maximum(picture.power[channels], floor)).mean(axis=0))


def fitted(picture: Picture) -> Background | None:
    """The background of the mean log spectrum of the good channels."""
    good = np.flatnonzero(picture.good)
    return spectra.background(spectra.frequencies(picture.rate), mean_log(picture, good)) if len(good) else None


def _all(picture: Picture) -> Iterator[Feature]:
    good = np.flatnonzero(picture.good)
    if not len(good):
        # what most of them have, the first among equals
        why = max(picture.why, key=picture.why.count) if picture.why else "missing_channels"
        yield from (Feature(name, None, absent=why) for name in FINAL)
        return
    there = carried(picture.rate)
    bands = picture.bands
    mean = bands[good].mean(axis=0)
    whole = float(np.nansum(mean))
    less = [band for band, carries in zip(BANDS, there, strict=True) if not carries]
    for band, (power, share, entropy) in enumerate(zip(POWERS, SHARES, ENTROPIES, strict=True)):
        if not there[band]:
            yield from (Feature(name, None, absent="unsuitable_rate") for name in (power, share, entropy))
            continue
        yield Feature(power, float(mean[band]))
        yield Feature(share, float(mean[band]) / whole, note=f"without {' and '.join(less)}" if less else "")
        if picture.logs is not None:
            yield Feature(entropy, float(differential_entropy(np.exp(picture.logs[good, band])).mean()))
    found = spectra.frequencies(picture.rate)
    parameters = np.array([hjorth(picture.power[number], found, picture.rate) for number in good]).mean(axis=0)
    yield from (Feature(name, float(value)) for name, value in zip(HJORTH, parameters, strict=True))
    yield from _background(picture, good)
    yield _asymmetry(picture, bands)
    yield _theta_beta(picture, bands)
    yield _engagement(picture, bands, good)
    yield Feature("eeg_slowing", float(mean[THETA] / mean[ALPHA]))


def _background(picture: Picture, good: NDArray[np.intp]) -> Iterator[Feature]:
    method = f"{METHOD}+donoghue-2020"
    found = spectra.frequencies(picture.rate)
    under = fitted(picture)
    if under is None:
        yield from (Feature(name, None, method, "insufficient") for name in ("eeg_exponent", "eeg_alpha_peak"))
        return
    yield Feature("eeg_exponent", under.exponent, method)
    behind = np.array([n for n in montage.at(picture.places, montage.POSTERIOR) if picture.good[n]], dtype=np.intp)
    seen = behind if len(behind) else good
    log_power = mean_log(picture, seen)
    beneath = spectra.background(found, log_power) or under
    peak = spectra.alpha_peak(found, log_power, beneath)
    where = _named(picture, seen.tolist()) if len(behind) else "all channels"
    yield Feature("eeg_alpha_peak", peak, method, "not_present" if peak is None else None, f"of {where}")


def _asymmetry(picture: Picture, bands: Floats) -> Feature:
    """Of the first pair of which both are there and good."""
    why: Reason = "missing_channels"
    for left, right in montage.PAIRS:
        found = montage.at(picture.places, (left, right))
        if len(found) < 2:
            continue
        if picture.good[found].all():
            value = asymmetry(float(bands[found[0], ALPHA]), float(bands[found[1], ALPHA]))
            return Feature("eeg_asymmetry", value, f"{METHOD}+{right}/{left}", note=f"alpha of {right} over {left}")
        if why == "missing_channels":
            why = next(picture.why[number] for number in found if not picture.good[number])
    return Feature("eeg_asymmetry", None, absent=why)


def _theta_beta(picture: Picture, bands: Floats) -> Feature:
    """Of Fz; where that is missing or bad, of the mean of the F row."""
    if not carried(picture.rate)[BETA]:
        return Feature("eeg_theta_beta", None, absent="unsuitable_rate")
    row = montage.at(picture.places, montage.FRONTAL)
    if not row:
        return Feature("eeg_theta_beta", None, absent="missing_channels")
    middle = [number for number in montage.at(picture.places, ("Fz",)) if picture.good[number]]
    used = middle or [number for number in row if picture.good[number]]
    if not used:
        return Feature("eeg_theta_beta", None, absent=picture.why[row[0]])
    mean = bands[used].mean(axis=0)
    place = "Fz" if middle else "F-row"
    note = f"of {_named(picture, used)}"
    return Feature("eeg_theta_beta", float(mean[THETA] / mean[BETA]), f"{METHOD}+{place}", note=note)


def _engagement(picture: Picture, bands: Floats, good: NDArray[np.intp]) -> Feature:
    """Of Pope's four sites as far as they are there, else of all good channels."""
    if not carried(picture.rate)[BETA]:
        return Feature("eeg_engagement", None, absent="unsuitable_rate")
    sites = [number for number in montage.at(picture.places, montage.VERTEX) if picture.good[number]]
    mean = bands[sites or good].mean(axis=0)
    method, where = ("pope-1995", _named(picture, sites)) if sites else ("pope-1995-all", "all channels")
    value = float(mean[BETA] / (mean[ALPHA] + mean[THETA]))
    return Feature("eeg_engagement", value, f"{METHOD}+{method}", note=f"of {where}")


def _named(picture: Picture, channels: list[int]) -> str:
    if len(channels) > MOST_NAMED:
        return f"{len(channels)} channels"
    return ", ".join(picture.places[number].electrode or picture.places[number].channel for number in channels)


def _in_another_unit(feature: Feature, picture: Picture) -> Feature:
    """A power in microvolt is none where the amplitudes are none."""
    if feature.measure not in IN_MICROVOLT or feature.value is None:
        return feature
    note = f"{picture.amplitude:.0f} µV (RMS) is too much for EEG: another unit, or raw counts"
    return Feature(feature.measure, None, feature.method, "impossible", note)
