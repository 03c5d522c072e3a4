"""The tests of callpbx. They mirror pbx/ file for file; tests/kit holds what they stand on."""
