"""Light-ASD (Liao et al., CVPR 2023): the network."""
