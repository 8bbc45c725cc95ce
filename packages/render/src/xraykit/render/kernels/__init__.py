"""Fast projectors behind `torch.library` custom ops; numba (CPU) and triton (CUDA) are imported on first use only."""
