"""One file per step: `r<revision>_<what>.py`. A published step is never changed; the next one corrects it."""
