"""How the grading model is made: data in, model out. Not installed with the program."""
