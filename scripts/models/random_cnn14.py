"""Writes a Cnn14 checkpoint with random weights in the layout of the official one, for machines that lack that.

usage: random_cnn14.py OUTPUT.pth
"""

import sys
from collections import OrderedDict

import torch
from panns_inference.models import Cnn14


def main():
    torch.manual_seed(1234)
    model = Cnn14(sample_rate=32000, window_size=1024, hop_size=320, mel_bins=64, fmin=50, fmax=14000, classes_num=527)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.8, 1.6)
            module.bias.data.normal_(0, 0.1)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    model.bn0.running_mean.fill_(-30)  # as log-mel values are
    model.bn0.running_var.fill_(200)
    state = OrderedDict((name, tensor.contiguous()) for name, tensor in model.state_dict().items())
    torch.save({"iteration": 600000, "model": state}, sys.argv[1], _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
