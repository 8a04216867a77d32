"""What is measured: speed against a floor, behaviour over hours and under attack. Not part of the distribution."""
