"""Converters: a dataset in the form that another model's loader reads."""

from unitalk.dataset.convert.convert import convert_asc, convert_loconet, convert_talknet
from unitalk.dataset.convert.convert_report import ConvertReport

__all__ = ["ConvertReport", "convert_asc", "convert_loconet", "convert_talknet"]
