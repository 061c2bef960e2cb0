"""Floor 4: live views in JupyterLab: the recorder's panel and the choice of a region."""
