// the pad
