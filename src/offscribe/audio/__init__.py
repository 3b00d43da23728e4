"""From a file of any common kind to mono samples at 16 kHz."""
