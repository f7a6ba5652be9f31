"""The microphone: sound in; statistics of the voice and emotion scores over seconds out, and never sound."""
