"""TalkNet's attention layer, between sound and pictures and over time.

Positions come from the convolutions before it: nothing here knows an order. (Tao et al., "Is
Someone Speaking?", 2021, section 3.2; the original's `model/attentionLayer.py`.)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS = 8
DROPOUT = 0.1


class MultiHeadAttention(nn.Module):
    """Attention of eight heads, its parameters named as `torch.nn.MultiheadAttention` names them.

    Args:
        width: features of a time; each head has an eighth of them.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dropout = DROPOUT
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, source: Tensor) -> Tensor:
        """Gather from `source` [n, times, width], which is key and value, for each of `query`."""
        width = query.shape[-1]
        weight, bias = self.in_proj_weight, self.in_proj_bias
        asked = functional.linear(query, weight[:width], bias[:width])
        both = functional.linear(source, weight[width:], bias[width:])
        found = functional.scaled_dot_product_attention(
            _heads(asked),
            _heads(both[..., :width]),
            _heads(both[..., width:]),
            dropout_p=self.dropout if self.training else 0.0,
        )
        out: Tensor = self.out_proj(found.transpose(1, 2).flatten(2))
        return out


def _heads(x: Tensor) -> Tensor:
    """Split [n, times, width] into [n, heads, times, width / heads]."""
    return x.reshape(*x.shape[:2], HEADS, -1).transpose(1, 2)


class AttentionLayer(nn.Module):
    """Attention and two layers for each time, each with a shortcut and normalised after it.

    The shortcut is of the source, not of what asks: each kind of feature is enriched with itself
    at the times that the other kind points to.

    Args:
        width: features of a time.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.self_attn = MultiHeadAttention(width)
        self.linear1 = nn.Linear(width, 4 * width)
        self.dropout = nn.Dropout(DROPOUT)
        self.linear2 = nn.Linear(4 * width, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout1 = nn.Dropout(DROPOUT)
        self.dropout2 = nn.Dropout(DROPOUT)

    def forward(self, source: Tensor, query: Tensor) -> Tensor:
        """Enrich `source` [n, times, width] by what `query` of the same shape asks for."""
        x = self.norm1(source + self.dropout1(self.self_attn(query, source)))
        hidden = self.dropout(functional.relu(self.linear1(x)))
        out: Tensor = self.norm2(x + self.dropout2(self.linear2(hidden)))
        return out
