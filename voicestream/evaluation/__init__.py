"""How good a model is: the measures of the field as pure functions, and the lists and score files they are taken on."""
