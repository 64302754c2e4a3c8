"""scipy.stats for variables: the common distributions, under SciPy's names and with its signatures.

`norm.logpdf(x, loc=0, scale=1)` and so on, with a gradient in x and in every real parameter, of any order.
"""

from gategrad.gates.distributions.counts import bernoulli as bernoulli
from gategrad.gates.distributions.counts import binom as binom
from gategrad.gates.distributions.counts import geom as geom
from gategrad.gates.distributions.counts import nbinom as nbinom
from gategrad.gates.distributions.counts import poisson as poisson
from gategrad.gates.distributions.exponential import expon as expon
from gategrad.gates.distributions.exponential import gumbel_l as gumbel_l
from gategrad.gates.distributions.exponential import gumbel_r as gumbel_r
from gategrad.gates.distributions.exponential import laplace as laplace
from gategrad.gates.distributions.exponential import logistic as logistic
from gategrad.gates.distributions.exponential import pareto as pareto
from gategrad.gates.distributions.exponential import uniform as uniform
from gategrad.gates.distributions.exponential import weibull_min as weibull_min
from gategrad.gates.distributions.gamma import beta as beta
from gategrad.gates.distributions.gamma import chi2 as chi2
from gategrad.gates.distributions.gamma import f as f
from gategrad.gates.distributions.gamma import gamma as gamma
from gategrad.gates.distributions.gamma import invgamma as invgamma
from gategrad.gates.distributions.heavy_tails import cauchy as cauchy
from gategrad.gates.distributions.heavy_tails import halfcauchy as halfcauchy
from gategrad.gates.distributions.heavy_tails import t as t
from gategrad.gates.distributions.heavy_tails import vonmises as vonmises
from gategrad.gates.distributions.multivariate import dirichlet as dirichlet
from gategrad.gates.distributions.multivariate import multinomial as multinomial
from gategrad.gates.distributions.multivariate import multivariate_normal as multivariate_normal
from gategrad.gates.distributions.multivariate import wishart as wishart
from gategrad.gates.distributions.normal import halfnorm as halfnorm
from gategrad.gates.distributions.normal import lognorm as lognorm
from gategrad.gates.distributions.normal import norm as norm
from gategrad.gates.distributions.normal import skewnorm as skewnorm
from gategrad.gates.distributions.normal import truncnorm as truncnorm
