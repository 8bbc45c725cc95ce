"""Line integrals through a voxel grid in plain torch: the readable truth that every kernel is tested against.

Each projector takes rays x(alpha) = source + alpha direction in continuous voxel indices and returns the integral
over alpha; the caller multiplies by the ray's length in millimetres. All accept any device and floating dtype, and
all are differentiable (also twice) with respect to the voxels, the source and the direction.
"""
