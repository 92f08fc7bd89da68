"""TalkNet (Tao et al., ACM Multimedia 2021): its encoders, its attention, the network."""
