"""A scene and a data set plan that name everything which such files can name."""

SCENE = """\
bodies:
  - {name: p, file: ct.nii, density_scale: {cortical_bone: 1.1}}
tools:
  - {name: screw, instrument: k_wire, seed: 3, position: [1.0, 2.0, 3.0], direction: [-0.35, -1.0, 0.0], turn: 10}
  - file: tool.stl
    scale: 1.0
    material: titanium
    density: 4.5
    displaces: true
    mesh_to_world: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1]]
landmarks: {entry: [-22.0, -50.0, 100.0]}
camera: {sdd: 1020.0, size: [32, 32], pixel_spacing: 0.58, principal_point: [16, 16]}
view: {lao_rao: 10, cra_cau: 5.0, roll: 0, sod: 700.0, isocenter: [0, 0, 0], offset: [0, 0, 0]}
beam: {kvp: 80, filtration: {aluminium: 3.5, copper: 0.1}, anode_angle: 12, shutter: {circle: [16, 16, 10]}}
dose: {photons_per_pixel: 20000, readout_quanta: 2, law: poisson}
scatter: {scatter_to_primary: 0.1, widths: [10, 20], weights: [0.5, 0.5]}
detector: {scintillator: caesium_iodide, thickness: 0.5, packing: 0.75, counts: energy, blur: gaussian, mtf50: 2}
march: {method: trilinear, samples: 50, backend: torch, tool_rays: 2}
masks: true
seed: 1
"""
DATASET = """\
seed: 1
patients:
  procedural: {count: 10, size: 112, regions: {knee: 1, hip: 0.5}}
  ct: {folder: cts, volumes: "*.nii.gz"}
views: {per_patient: 4, standard: all, random: 0.25, ranges: {femur: 0.1}}
tools: {share: 0.3, count: [1, 3], instruments: all, library: tools}
physics: {model: xray, kvp: [60, 120], filtration: {aluminium: [2.5, 4.0]}, mtf50: [1, 3], collimation: 0.3}
labels: all
image: {size: [192, 192], line_integrals: float16}
split: {train: 0.8, test: 0.2}
images_per_shard: 8
on_error: skip
"""
