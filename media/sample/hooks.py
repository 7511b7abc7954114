"""Reads the activations of a model by the names of its hook points.

Pin the model "array" in the Circuits view, then point at a name below: its shape and a picture come from that model.
The code itself needs TransformerLens, which is not part of this folder; reading it does not.
"""

from transformer_lens import HookedTransformer


def look(model: HookedTransformer, tokens):
    logits, cache = model.run_with_cache(tokens)

    # Where the heads look: [batch, head, query, key].
    first = cache["blocks.0.attn.hook_pattern"]
    second = cache["pattern", 1]

    # The residual stream before and after the second layer: [batch, position, d_model].
    before = cache["blocks.1.hook_resid_pre"]
    after = cache["resid_post", 1]

    # What a head copies, and to where.
    ov = model.blocks[1].attn.W_V @ model.blocks[1].attn.W_O

    # The model has two layers, so this is underlined once it is pinned.
    missing = cache["blocks.2.attn.hook_pattern"]
    return logits, first, second, before, after, ov, missing
