"""How a recipe is trained: plan, build, compile, fit and score, the same for every verb."""
