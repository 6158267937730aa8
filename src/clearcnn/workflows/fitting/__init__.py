"""How a recipe is trained: plan, build, compile, fit and score; shared by all verbs."""
