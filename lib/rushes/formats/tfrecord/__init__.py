"""TensorFlow's record files, without TensorFlow."""
