# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "nequix==0.4.5",
#   "torch==2.13.0",
#   "torch-geometric==2.8.0",
#   "e3nn==0.6.0",
#   "setuptools==80.9.0",
#   "jax==0.10.2",  # its calculator imports both
#   "ase==3.29.0",
#   "numpy==2.4.6",
# ]
