"""What is heard: system sound and microphone."""
