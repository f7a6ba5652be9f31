"""The camera: pictures in; skin colour, head motion, action units and expression scores out, and never a picture."""
