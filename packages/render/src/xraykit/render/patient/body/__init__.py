"""What all parts of a procedural patient share: build, joints, frames, skin."""
