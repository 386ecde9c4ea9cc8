"""What each of Exotel's applets does with a call: one module an applet."""
