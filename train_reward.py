"""`python train_reward.py …`: the published training command; see `reward.cli`."""

import sys

from reward.cli import main

if __name__ == "__main__":
    sys.exit(main())
