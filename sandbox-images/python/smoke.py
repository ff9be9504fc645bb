"""The python image: the scientific packages import, compute and draw."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy.stats
import seaborn as sns
from sklearn.linear_model import LinearRegression

frame = pd.DataFrame({"x": np.arange(10.0)})
frame["y"] = 2 * frame.x + 1
model = LinearRegression().fit(frame[["x"]], frame.y)
assert abs(model.coef_[0] - 2) < 1e-9
assert scipy.stats.pearsonr(frame.x, frame.y).statistic > 0.999
sns.lineplot(frame, x="x", y="y")
plt.savefig("line.png")
print("smoke ok")
