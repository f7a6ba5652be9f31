"""Networks of our own: arrays go in, ONNX comes out. The only home of torch; nothing at run time imports it."""
