//! Sentences: how AWS words a denial, from the decision alone (spec A11).
