"""Generate a patient: somebody's knee from a seed, with labels and landmarks, in its standard views.

You learn how to draw people and findings, that a seed is a person, and how a standard view is planned for a
labelled volume, whoever it is.

    python examples/render/generate_patient.py
"""

import sys
from pathlib import Path

from xraykit.render import PatientSettings, generate_patient, simulate, standard_view
from xraykit.render.patient import FindingSettings
from xraykit.render.pictures import montage, overlay, save_png, to_grey


def main(out: Path, quick: bool) -> None:
    """Write `knee.png`: the knee from the front and the side, with its bones in colour."""
    settings = PatientSettings(size=64 if quick else 200, side="left", findings=FindingSettings(fracture=1.0))
    patient = generate_patient(seed=5, region="knee", settings=settings)
    about = patient.description
    fracture = about["findings"]["fractures"][0]["name"]
    print(f"{about['sex']}, {about['age']:.0f} years, {about['height'] / 10:.0f} cm; {fracture}")
    print("landmarks:", ", ".join(sorted(patient.landmarks)))

    pictures, captions = [], []
    for name in ("knee_ap_left", "knee_lateral_left"):
        size = (80, 80) if quick else (320, 320)
        plan = standard_view(patient.volume, name, size=size, landmarks=patient.landmarks)
        shot = simulate(patient.scene(), plan.camera, plan.pose)
        grey = to_grey(shot.log_attenuation[0, 0], detail=0.6)
        names = ("femur_left", "tibia_left", "patella_left", "fibula_left")
        bones = {bone: shot.masks.mask(bone)[0].numpy() for bone in names}
        pictures += [grey, overlay(grey, bones, opacity=0.25)]
        captions += [name.replace("_", " "), "bones"]
    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "knee.png", montage(pictures, captions))


if __name__ == "__main__":
    main(Path("out/generate_patient"), quick="--quick" in sys.argv)
