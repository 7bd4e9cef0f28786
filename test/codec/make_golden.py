"""Goldens of a recogniser by PyTorch: python3 test/codec/make_golden.py MODEL FEATURES OUT

FEATURES holds log-mel features in decibels, N.mel [frames, mels], as PyTorch computed them. OUT gets those again, and for
each: N.features (normalised), N.front and N.layerM [steps, width], N.vectors, N.indices [vectors, codebooks] and N.kK.log_probs
[steps, classes]; so OUT can be FEATURES of the next model. The network is the one that bench:training compares with; learned pooling and residual
quantisation are written here from the description in src/bitstream and src/codec, in float64.
"""
import json
import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../bench/training"))
from torch_conformer import Conformer, name_of, read_safetensors, write_safetensors  # noqa: E402


def maps(tensors, name, bias_length):
    weight = tensors[f"quantizer.{name}.weight"].double()
    return weight, tensors.get(f"quantizer.{name}.bias", torch.zeros(bias_length)).double()


def quantise(x, codebooks):
    """Indices [vectors, codebooks] of the nearest codewords of what the stages before left."""
    residual, indices = x.clone(), []
    for codebook in codebooks:
        nearest = torch.cdist(residual, codebook).argmin(dim=1)
        indices.append(nearest)
        residual = residual - codebook[nearest]
    return torch.stack(indices, dim=1)


def main(model_file, features_file, out_file):
    metadata, tensors = read_safetensors(model_file)
    config = json.loads(metadata["config"])
    network, quantizer, split = config["network"], config["quantizer"], config["splitLayer"]
    model = Conformer(network)
    model.load_state_dict(
        {ours: tensors[name_of(ours, network["head"])] for ours, _ in model.named_parameters()}
    )
    model.eval()
    pooling, width = quantizer["pooling"], network["encoder"]["width"]
    codebooks = tensors["quantizer.codebooks"].double()
    encode, decode = maps(tensors, "encode", codebooks.shape[2]), maps(tensors, "decode", pooling * width)
    found, out = read_safetensors(features_file)[1], {}
    for name in sorted(key[:-4] for key in found if key.endswith(".mel")):
        mel = found[f"{name}.mel"]
        features = (mel - tensors["normalizer.glob_mean"]) / tensors["normalizer.glob_std"]
        front = model.input(model.front_end(features[None]))
        positions, x = model.positions(front.shape[1]), front
        for layer in model.layers[:split]:
            x = layer(x, positions, None, None)

        def log_probs(y):
            for layer in model.layers[split:]:
                y = layer(y, positions, None, None)
            return F.log_softmax(model.head(model.norm(y)), dim=-1)[0]

        steps = x[0].double()
        missing = -len(steps) % pooling
        stacked = torch.cat([steps, steps[-1:].expand(missing, -1)]).reshape(-1, pooling * width)
        vectors = F.linear(stacked, *encode)
        indices = quantise(vectors, codebooks)
        own = {"mel": mel, "features": features, "front": front[0], f"layer{split}": x[0], "vectors": vectors}
        for k in range(1, quantizer["codebooks"] + 1):
            coded = sum(codebooks[s][indices[:, s]] for s in range(k))
            back = F.linear(coded, *decode).reshape(-1, width)[: len(steps)]
            own[f"k{k}.log_probs"] = log_probs(back.float()[None])
        own["indices"] = indices
        out.update({f"{name}.{key}": value.detach().float() for key, value in own.items()})
    write_safetensors(out_file, out)


if __name__ == "__main__":
    with torch.no_grad():
        main(*sys.argv[1:4])
