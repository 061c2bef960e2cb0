"""Sessions and samples as tensors."""
