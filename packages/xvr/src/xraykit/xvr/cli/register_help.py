"""What `xraykit xvr register --help` says before the options; the first line is its entry in the list of commands."""

HELP = """Find the pose of X-rays relative to a CT, and say whether to trust it.

A DICOM X-ray that states its geometry needs no more than:

    xraykit xvr register ct.nii.gz xray.dcm -o out

A picture states nothing; say what it is and about where it was taken from:

    xraykit xvr register ct.nii.gz xray.png -o out
        --sdd 1020 --pixel-spacing 0.3 --view ap

With a network trained for this patient; pelvis and femur move by themselves:

    xraykit xvr register ct.nii.gz a.dcm b.dcm -o out
        --network weights/ --labels seg.nii.gz
        --structures "hip_left,hip_right,sacrum;femur_left"

OUT/XRAY/ then holds result.json (pose, camera, covariance, chance of success,
warnings, settings), pose.json (for xraykit render drr --pose), transforms for
ITK and 3D Slicer, and pictures: overlay, checkerboard, comparison, animation.
Look at them before you use a pose.
"""
