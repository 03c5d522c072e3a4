"""What is played: files, tones, music, silence; cut into units that are coded once for all."""
