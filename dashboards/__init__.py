"""The assembled studio: training and analysis tabs, run supervision, figures, theme."""
