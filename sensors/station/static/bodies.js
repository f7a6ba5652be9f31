// Where a sensor belongs, drawn in a few lines: the body quiet, the sensor in the accent's colour.
import { shape } from "./nodes.js";

const TORSO = "M32 6a8 8 0 1 1 0 16a8 8 0 1 1 0-16M28 22v4c-9 1-15 5-16 13l-3 19M36 22v4c9 1 15 5 16 13l3 19M20 42v18M44 42v18";
const HEAD = "M32 8c11 0 18 8 18 19c0 9-4 13-5 20c-1 6-7 11-13 11s-12-5-13-11c-1-7-5-11-5-20c0-11 7-19 18-19M25 33h.1M39 33h.1M27 47q5 3 10 0";
const HAND = "M22 60V46c-6-6-9-12-10-17c-.6-3.500 3.500-4.500 5-1.500l6 10V13c0-4 6-4 6 0v18V9c0-4 6-4 6 0v22V12c0-4 6-4 6 0v20V18c0-4 6-4 6 0v20c0 9-3 12-5 16v6";
const ARM = "M6 22c12-4 22-2 30 4l22 14M6 42c10 0 16 2 24 6l20 10M58 40c3 4 0 12-8 18";

const PARTS = {
  ecg: [TORSO, "M4 52h10v9H4zM50 52h10v9H50zM20 40h5l3-7 5 13 4-9 2 3h5"],
  ppg: [HAND, "M27 4h10v20H27zM32 4V1"],
  eeg: [HEAD, "M13 22q19-9 38 0v6q-19-9-38 0zM22 21v5M32 18v6M42 21v5"],
  respiration: [TORSO, "M17 44q15 6 30 0v7q-15 6-30 0z"],
  eda: [HAND, "M27 10h10v9H27zM36 14h9v9h-9z"],
  skin_temperature: [ARM, "M40 41a6 6 0 1 1 .1 0z"],
  acceleration: [TORSO, "M32 40a4 4 0 1 1 .1 0M24 36q-3 4 0 8M40 36q3 4 0 8"],
  rgb: [HEAD, "M8 14V6h8M48 6h8v8M56 52v8h-8M16 60H8v-8"],
  voice_functionals: [HEAD, "M54 38q4 6 0 12M59 34q6 10 0 20"],
  systolic: [ARM, "M14 18l6 28 12 3-4-29zM20 46q2 10 12 12h6"],
  spo2: [HAND, "M27 4h10v20H27zM30 12h4"],
  temperature: [HEAD, "M32 20a5 5 0 1 1 .1 0M37 15h16"],
  weight: ["M10 14h44a4 4 0 0 1 4 4v36a4 4 0 0 1-4 4H10a4 4 0 0 1-4-4V18a4 4 0 0 1 4-4z", "M18 32a14 14 0 0 1 28 0zM32 32l6-8M24 42v8M40 42v8"],
  height: ["M24 12a6 6 0 1 1 .1 0M18 28q6-4 12 0v14h-3v18h-6V42h-3z", "M46 4v56M46 6h8M46 20h5M46 34h8M46 48h5M30 4h16"],
  hba1c: [HAND, "M32 2c4 6 6 8 6 11a6 6 0 0 1-12 0c0-3 2-5 6-11z"],
};
PARTS.face_motion = PARTS.face_scores = PARTS.face_units = PARTS.rgb;
PARTS.voice_scores = PARTS.voice_functionals;
PARTS.diastolic = PARTS.systolic;

export function body(name) {
  const [quiet, sensor] = PARTS[name] ?? PARTS.acceleration;
  return shape(
    "svg", { class: "body", viewBox: "0 0 64 64", "aria-hidden": "true" },
    shape("path", { class: "quiet-line", d: quiet }), shape("path", { class: "sensor-line", d: sensor }),
  );
}
