"""What is measured about the project itself: parity of the engines, speeds, costs, each choice's worth."""
