"""Who sits there: every dial of the simulated visitor in one frozen table."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from sensors.drivers.simulated import variability
from sensors.drivers.simulated.chance import generator

Sex = Literal["female", "male"]

_NOISES = ("ecg_white", "ecg_muscle", "ecg_mains", "ecg_wander", "ppg_noise", "ppg_wander", "respiration_noise",
           "eeg_noise", "eeg_mains", "pixel_noise", "camera_noise", "illumination_drift", "head_motion", "eda_noise",
           "acceleration_noise", "motion_rate", "dropout_rate", "sway", "turn_rate", "talking")  # fmt: skip
_SIGNED = ("seed", "alpha_asymmetry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The dials. Two equal persons give the same signals to the last bit; another seed gives another chance."""

    seed: int = 0
    age: float | None = None
    sex: Sex | None = None

    # heart
    heart_rate: float = 68.0
    """Mean, per minute."""
    heart_rate_profile: tuple[tuple[float, float], ...] = ()
    """(time in s, rate per minute) corners of a course that replaces heart_rate; two corners at one time are a step."""
    rsa_ms: float = 28.0
    """Standard deviation that breathing adds to the RR interval, ms; likewise the next two."""
    mayer_ms: float = 20.0
    """The waves of about 0.1 Hz (baroreflex)."""
    vlf_ms: float = 20.0
    """The 1/f drift below 0.04 Hz."""
    ectopic_rate: float = 0.0
    """Ventricular premature beats per minute."""

    # breath
    respiration_rate: float = 14.0
    """Mean, per minute."""
    respiration_variation: float = 0.06
    """Relative standard deviation of the rate."""

    # vessels
    pulse_transit: float = 0.22
    """Seconds from the R peak to the foot of the pulse at the finger; the face is nearer."""
    pulse_transit_variation: float = 0.006
    """Standard deviation of its slow variation, s."""
    pulse_amplitude: float = 1.0
    """Height of a PPG pulse, arbitrary units."""
    systolic: float = 120.0
    diastolic: float = 77.0
    """mmHg."""
    spo2: float = 97.5
    """Percent."""

    # ECG
    leads: tuple[str, ...] = ("II",)
    ecg_amplitude: float = 1.1
    """R in lead II, mV."""
    t_height: float = 0.3
    """T in lead II, mV."""
    inverted: bool = False
    """Electrodes swapped: every lead with its sign turned."""

    ppg_channels: tuple[str, ...] = ("green",)

    # EEG, microvolt
    eeg_channels: tuple[str, ...] = ("Fz", "F3", "F4", "Cz", "Pz", "P3", "P4", "Oz")
    eeg_amplitude: float = 7.0
    """Root mean square of the background."""
    alpha_open: float = 4.0
    alpha_closed: float = 18.0
    """Root mean square of alpha over the occiput, eyes open and closed."""
    alpha_frequency: float = 10.0
    alpha_asymmetry: float = 0.0
    """ln(right) - ln(left) of frontal alpha amplitude."""
    eyes_closed: tuple[tuple[float, float], ...] = ()
    """Times (start, end) in s."""
    blink_rate: float = 14.0
    """Per minute, while the eyes are open."""
    blink_size: float = 130.0
    """At the forehead."""

    # skin and face
    eda_level: float = 4.0
    """Tonic skin conductance, uS."""
    eda_rate: float = 3.0
    """Spontaneous sweat responses per minute."""
    skin_temperature: float = 33.0
    """Degrees Celsius, likewise the next."""
    temperature: float = 36.6
    melanin: float = 0.25
    """0 very light .. 1 very dark skin."""
    rgb_amplitude: float = 0.007
    """Pulse height in the green of light skin, relative to its mean."""
    face_pixels: float = 16_000.0
    """Of skin at 0.6 m in a picture of 640 x 480."""
    sway: float = 1.0
    """How far the head wanders by itself, degrees."""
    breath_nod: float = 0.3
    """Degrees that the head rises with a full breath."""
    chest_rise: float = 0.015
    """How far the chest rises with half a breath, shares of the face's height."""
    talking: float = 0.0
    """Share of the time, up to .85."""
    turn_rate: float = 0.0
    """Sudden turns of the head per minute."""
    turn_size: float = 25.0
    """Degrees."""
    smile_rate: float = 0.7
    """Per minute."""
    gaze: float = 4.0
    """Degrees that the eyes go to either side of straight ahead."""
    weight: float = 72.0
    """kg."""
    height: float = 172.0
    """cm."""

    # disturbances: standard deviations in the unit of their signal unless said otherwise
    ecg_white: float = 0.006
    ecg_muscle: float = 0.010
    ecg_mains: float = 0.005
    ecg_wander: float = 0.06
    mains_frequency: float = 50.0
    ppg_noise: float = 0.008
    ppg_wander: float = 0.15
    respiration_noise: float = 0.01
    eeg_noise: float = 0.6
    eeg_mains: float = 0.5
    pixel_noise: float = 3.0
    """Of one pixel; a mean over n pixels has it divided by the root of n."""
    camera_noise: float = 0.06
    """What no averaging removes: compression, exposure control."""
    illumination_drift: float = 0.008
    """Relative."""
    head_motion: float = 0.003
    """Relative change of brightness by ordinary small movements."""
    eda_noise: float = 0.004
    acceleration_noise: float = 0.003
    motion_rate: float = 0.0
    """Movements per minute that spoil the signals."""
    motion_length: float = 4.0
    motion_size: float = 1.0
    dropout_rate: float = 0.0
    """Losses of contact per minute and signal; their samples are NaN."""
    dropout_length: float = 0.5

    def __post_init__(self) -> None:
        rates = (self.heart_rate, *(rate for _, rate in self.heart_rate_profile))
        if not all(25.0 <= rate <= 240.0 for rate in rates):
            raise ValueError("heart rate must be 25..240 per minute")
        corners = [time for time, _ in self.heart_rate_profile]
        if corners != sorted(corners):
            raise ValueError("heart_rate_profile must be in order of time")
        if not 3.0 <= self.respiration_rate <= 60.0:
            raise ValueError("respiration rate must be 3..60 per minute")
        if not 0.0 <= self.melanin <= 1.0:
            raise ValueError("melanin must be 0..1")
        if self.talking > 1.0 or self.turn_size > 60.0:
            raise ValueError("talking must be 0..1 and turn_size 0..60 degrees")
        if not 0.05 <= self.pulse_transit <= 0.5:
            raise ValueError("pulse transit must be 0.05..0.5 s")
        for name, value in self._numbers():
            if not np.isfinite(value) or (value < 0 and name not in _SIGNED):
                raise ValueError(f"{name} must be finite and not negative")

    def _numbers(self) -> Iterator[tuple[str, float]]:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float):
                yield field.name, value

    def with_hrv(self, *, sdnn: float, rmssd: float) -> "Person":
        """The same person with dials set so that several minutes have this SDNN and RMSSD (ms)."""
        rsa, mayer, vlf = variability.dials(sdnn, rmssd, self.heart_rate, self.respiration_rate)
        return replace(self, rsa_ms=rsa, mayer_ms=mayer, vlf_ms=vlf)

    def undisturbed(self) -> "Person":
        """The same person without noise, movement and losses: physiology alone."""
        silence: dict[str, Any] = dict.fromkeys(_NOISES, 0.0)
        return replace(self, **silence)

    @classmethod
    def random(cls, seed: int, age: float | None = None, sex: Sex | None = None) -> "Person":
        """A plausible adult.

        Resting heart rate and RMSSD/SDNN about the norms of Nunan (2010, doi:10.1111/j.1540-8159.2010.02841.x),
        falling with age after Umetani (1998, doi:10.1016/S0735-1097(97)00554-8); pressures, size and the rest are
        rounded population figures.
        """
        rng = generator(seed, "person")
        draw = rng.standard_normal(24).clip(-2.2, 2.2)
        even = rng.random(8)
        # every figure has its own place in the draw, so that a given age or sex changes nothing else
        age = float(20.0 + 50.0 * even[0]) if age is None else age
        chosen: Sex = ("female" if even[1] < 0.5 else "male") if sex is None else sex
        male = chosen == "male"
        decades = (age - 40.0) / 10.0
        heart_rate = float(68.0 - 3.0 * male + 8.0 * draw[0])
        breath = float(14.5 + 2.0 * draw[1])
        ratio = float(min(0.80 + 0.08 * draw[2], 0.95 * variability.possible(heart_rate, breath)[1]))
        sdnn = float(48.0 * np.exp(-0.09 * decades + 0.25 * draw[3]))
        height = float((176.0 if male else 163.0) + 7.0 * draw[4])
        systolic = float(118.0 + 4.0 * decades + 3.0 * male + 9.0 * draw[5])
        melanin = float(even[2])
        person = cls(
            seed=seed,
            age=age,
            sex=chosen,
            heart_rate=heart_rate,
            ectopic_rate=float(0.5 + 2.0 * even[4]) if even[3] < 0.08 else 0.0,
            respiration_rate=breath,
            pulse_transit=float(0.225 - 0.006 * decades + 0.012 * draw[6]),
            systolic=systolic,
            diastolic=float(systolic * (0.645 + 0.03 * draw[7])),
            spo2=float(min(97.6 - 0.2 * decades + 0.6 * draw[8], 99.6)),
            temperature=float(36.6 + 0.25 * draw[9]),
            skin_temperature=float(32.8 + 0.9 * draw[10]),
            ecg_amplitude=float(1.1 * np.exp(0.2 * draw[11])),
            t_height=float(0.3 * np.exp(0.2 * draw[12] - 0.04 * decades)),
            eeg_amplitude=float(7.0 * np.exp(0.15 * draw[13])),
            alpha_open=float(4.0 * np.exp(0.3 * draw[14])),
            alpha_closed=float(17.0 * np.exp(0.3 * draw[15])),
            alpha_frequency=float(10.1 - 0.12 * decades + 0.6 * draw[16]),
            alpha_asymmetry=float(0.1 * draw[17]),
            blink_rate=float(14.0 * np.exp(0.3 * draw[18])),
            eda_level=float(4.0 * np.exp(0.4 * draw[19])),
            eda_rate=float(3.0 * np.exp(0.4 * draw[20])),
            melanin=melanin,
            rgb_amplitude=float(0.007 * np.exp(0.25 * draw[21])),
            height=height,
            weight=float((25.0 * np.exp(0.13 * draw[22])) * (height / 100.0) ** 2),
        )
        return person.with_hrv(sdnn=sdnn, rmssd=ratio * sdnn)
