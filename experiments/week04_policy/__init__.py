"""Week 4: policy optimization, from REINFORCE to learning from preferences."""
