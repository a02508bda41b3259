"""`from dspo.reward import MultiHeadReward`: the engine's public names under the published import path."""

from reward import ASPECTS as ASPECTS
from reward import HEADS as HEADS
from reward import Aspect as Aspect
from reward import BackboneError as BackboneError
from reward import CheckpointError as CheckpointError
from reward import InputError as InputError
from reward import ModelConfig as ModelConfig
from reward import MultiHeadReward as MultiHeadReward
from reward import RewardError as RewardError
from reward import TrainConfig as TrainConfig
from reward import load_model as load_model
from reward import read_preferences as read_preferences
from reward import read_ratings as read_ratings
from reward import reward_function as reward_function
from reward import score_files as score_files
from reward import train as train
