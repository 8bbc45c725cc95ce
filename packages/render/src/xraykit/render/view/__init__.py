"""The live viewer: a local web page with the C-arm, the patient's surface and the X-ray that follows the sliders."""
