import CAres

