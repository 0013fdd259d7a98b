"""Environments of reinforcement learning; importing this registers them with Gymnasium.

====================================  =================================================================
``mascot/Layers-v0``                  gives each open layer to an accelerator, or holds it
``mascot/Serving-Free-v0``            a site is free: wait, or launch a batch on a variant of a model
``mascot/Serving-Route-v0``           a request has arrived: to which site does it go?
``mascot/Serving-Select-v0``          which dispatcher decides until the end of the next window?
====================================  =================================================================

``mascot.envs.clients.ClientsEnv`` is for PettingZoo: each tenant sends its own requests to sites.
"""

import gymnasium

from mascot.envs._layers import LayersEnv, LayersVectorEnv
from mascot.envs._serving import ServingEnv, ServingVectorEnv

__all__ = ["LayersEnv", "LayersVectorEnv", "ServingEnv", "ServingVectorEnv"]


def _register() -> None:
    gymnasium.register(
        "mascot/Layers-v0",
        entry_point="mascot.envs:LayersEnv",
        vector_entry_point="mascot.envs:LayersVectorEnv",
    )
    for name, role in [("Free", "free"), ("Route", "route"), ("Select", "select")]:
        gymnasium.register(
            f"mascot/Serving-{name}-v0",
            entry_point="mascot.envs:ServingEnv",
            vector_entry_point="mascot.envs:ServingVectorEnv",
            kwargs={"role": role},
        )


_register()
