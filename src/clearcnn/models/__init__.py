"""From a spec to a Keras model; shapes, parameters and receptive fields without Keras.

Nothing here loads Keras before `build_model` is called.
"""

from clearcnn.models.build import build_model
from clearcnn.models.class_weights import UNEQUAL, choose_class_weight_power, weigh_images
from clearcnn.models.equal_mlp import make_equal_mlp
from clearcnn.models.layer_plans import LayerPlan, plan_layers
from clearcnn.models.layers import LAYERS, check_model, complete_layer, name_layers
from clearcnn.models.model_file import read_model, write_model
from clearcnn.models.output_layer import check_output
from clearcnn.models.recipes import RECIPES, PixelStatistics, Recipe, find_recipe
from clearcnn.models.shape_inference import count_operations, summarize_model

__all__ = [
    "LAYERS",
    "RECIPES",
    "UNEQUAL",
    "LayerPlan",
    "PixelStatistics",
    "Recipe",
    "build_model",
    "check_model",
    "check_output",
    "choose_class_weight_power",
    "complete_layer",
    "count_operations",
    "find_recipe",
    "make_equal_mlp",
    "name_layers",
    "plan_layers",
    "read_model",
    "summarize_model",
    "weigh_images",
    "write_model",
]
