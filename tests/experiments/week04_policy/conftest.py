"""Networks this small run slower on several threads than on one, and much slower beside other work."""

import torch

torch.set_num_threads(1)
