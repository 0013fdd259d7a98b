//! Attention: scores, softmax and context, with the projection and the heads where the operator has them.
//!
//! All keys are counted, also those that a causal mask hides; past keys and values are put in front by a Concat.

use super::{Writer, integer, integers};

/// Query, key and value as `[batch, heads, tokens, features]`.
struct Heads {
    query: String,
    key: String,
    value: String,
}

impl Writer<'_> {
    /// ONNX's own: heads in a dimension of their own, or side by side and counted by attributes.
    pub(super) fn attention(&mut self) -> Option<()> {
        let [query, key, value] = [self.input(0)?, self.input(1)?, self.input(2)?];
        let heads = (self.integer("q_num_heads", 0), self.integer("kv_num_heads", 0));
        let is_split = heads.0 <= 0 || heads.1 <= 0;
        let mut all = match heads {
            _ if is_split => Heads { query: query.into(), key: key.into(), value: value.into() },
            (query_heads, other) => Heads {
                query: self.split_heads(query, query_heads),
                key: self.split_heads(key, other),
                value: self.split_heads(value, other),
            },
        };
        self.past(&mut all, [self.input(4), self.input(5)], [1, 2])?;
        let context = self.core(&all, self.input(3), 3)?;
        let result = if is_split { context } else { self.merge_heads(&context) };
        self.output(0, &result)
    }

    pub(super) fn microsoft_attention(&mut self, name: &str) -> Option<()> {
        match name {
            "Attention" => self.projected([0, 1, 2], 4, self.input(5)),
            "QAttention" => self.projected([0, 1, 2], 8, None),
            "MultiHeadAttention" => self.multi_head(),
            "GroupQueryAttention" => self.group_query(),
            _ => None,
        }
    }

    /// With the projection of query, key and value in one product; `past` holds keys and values.
    fn projected(
        &mut self,
        [input, weights, bias]: [usize; 3],
        past: usize,
        added: Option<&str>,
    ) -> Option<()> {
        let count = self.heads("num_heads")?;
        let [input, weights] = [self.input(input)?, self.input(weights)?];
        let weights = self.part("weights", "Cast", &[weights], vec![integer("to", 1)]);
        let product = self.part("", "MatMul", &[input, &weights], Vec::new());
        let product = self.with("Add", product, self.input(bias));
        let mut attributes = vec![integer("axis", -1)];
        if let Some(sizes) = crate::workload::onnx::operators::integers(self.node, "qkv_hidden_sizes") {
            attributes.push(integers("split", sizes));
        }
        let parts = self.add("split", "Split", &[&product], attributes, 3);
        let mut all = Heads {
            query: self.split_heads(&parts[0], count),
            key: self.split_heads(&parts[1], count),
            value: self.split_heads(&parts[2], count),
        };
        if let Some(past) = self.input(past) {
            let [keys, values] = [0, 1].map(|at| self.pick(past, at));
            self.past(&mut all, [Some(&keys), Some(&values)], [usize::MAX; 2])?;
        }
        if self.has_output(1) {
            let [keys, values] = [&all.key, &all.value].map(|tensor| self.unsqueeze(tensor, 0));
            let present = self.part("present", "Concat", &[&keys, &values], vec![integer("axis", 0)]);
            self.output(1, &present)?;
        }
        let context = self.core(&all, added, usize::MAX)?;
        let result = self.merge_heads(&context);
        self.output(0, &result)
    }

    fn multi_head(&mut self) -> Option<()> {
        let count = self.heads("num_heads")?;
        let mut inputs = [self.input(0), self.input(1), self.input(2)].map(|input| input.map(str::to_owned));
        if let Some(bias) = self.input(3) {
            let parts = self.add("biases", "Split", &[bias], vec![integer("axis", 0)], 3);
            for (input, part) in inputs.iter_mut().zip(&parts) {
                *input = input.take().map(|input| self.with("Add", input, Some(part)));
            }
        }
        let mut all = match inputs {
            [Some(query), Some(key), Some(value)] => Heads {
                query: self.split_heads(&query, count),
                key: self.split_unless_split(1, key, count),
                value: self.split_unless_split(2, value, count),
            },
            [Some(query), Some(both), None] => {
                let [key, value] = self.unpack(&both)?;
                Heads { query: self.split_heads(&query, count), key, value }
            }
            [Some(packed), None, None] => {
                let [query, key, value] = self.unpack(&packed)?;
                Heads { query, key, value }
            }
            _ => return None,
        };
        self.past(&mut all, [self.input(6), self.input(7)], [1, 2])?;
        let context = self.core(&all, self.input(5), 3)?;
        let result = self.merge_heads(&context);
        self.output(0, &result)
    }

    /// Fewer heads of keys and values than of queries, and rotated positions.
    fn group_query(&mut self) -> Option<()> {
        let [count, others] = [self.heads("num_heads")?, self.heads("kv_num_heads")?];
        let query = self.input(0)?;
        let mut all = match (self.input(1), self.input(2)) {
            (Some(key), Some(value)) => Heads {
                query: self.split_heads(query, count),
                key: self.split_heads(key, others),
                value: self.split_heads(value, others),
            },
            _ => {
                let heads = self.split_heads(query, count + 2 * others);
                let split = vec![integer("axis", 1), integers("split", &[count, others, others])];
                let [query, key, value] = self.add("split", "Split", &[&heads], split, 3).try_into().ok()?;
                Heads { query, key, value }
            }
        };
        if self.integer("do_rotary", 0) != 0 {
            let tables = [self.input(7)?, self.input(8)?];
            let positions = self.positions(&all.query, 2);
            all.query = self.rotary(&all.query, tables, &positions);
            all.key = self.rotary(&all.key, tables, &positions);
        }
        self.past(&mut all, [self.input(3), self.input(4)], [1, 2])?;
        let context = self.core(&all, self.input(10), 3)?;
        let result = self.merge_heads(&context);
        self.output(0, &result)
    }

    fn heads(&self, attribute: &str) -> Option<i64> {
        Some(self.integer(attribute, 0)).filter(|&count| count > 0)
    }

    /// `[batch, tokens, heads x features]` by heads.
    fn split_heads(&mut self, input: &str, count: i64) -> String {
        let heads = self.reshape(input, &[0, 0, count, -1]);
        self.transpose(&heads, &[0, 2, 1, 3])
    }

    /// Keys and values of another sequence may come by heads already.
    fn split_unless_split(&mut self, position: usize, input: String, count: i64) -> String {
        match self.input(position).and_then(|name| self.known.ranks.get(name)) {
            Some(4) => input,
            _ => self.split_heads(&input, count),
        }
    }

    fn merge_heads(&mut self, input: &str) -> String {
        let tokens = self.transpose(input, &[0, 2, 1, 3]);
        self.reshape(&tokens, &[0, 0, -1])
    }

    /// `[batch, tokens, heads, parts, features]` by parts and heads.
    fn unpack<const N: usize>(&mut self, packed: &str) -> Option<[String; N]> {
        let parts = self.add("unpack", "Split", &[packed], vec![integer("axis", 3)], N);
        let one = |part: &String| {
            let part = self.part("squeeze", "Squeeze", &[part], vec![integers("axes", &[3])]);
            self.transpose(&part, &[0, 2, 1, 3])
        };
        parts.iter().map(one).collect::<Vec<_>>().try_into().ok()
    }

    /// One of several tensors that are stacked.
    fn pick(&mut self, stacked: &str, at: i64) -> String {
        let index = self.part("constant", "Constant", &[], vec![integer("value_int", at)]);
        self.part("pick", "Gather", &[stacked, &index], Vec::new())
    }

    fn unsqueeze(&mut self, input: &str, axis: i64) -> String {
        self.part("unsqueeze", "Unsqueeze", &[input], vec![integers("axes", &[axis])])
    }

    /// Puts past keys and values in front, and writes all of them where an output asks for it.
    fn past(&mut self, all: &mut Heads, past: [Option<&str>; 2], outputs: [usize; 2]) -> Option<()> {
        for ((tensor, past), output) in [&mut all.key, &mut all.value].into_iter().zip(past).zip(outputs) {
            if let Some(past) = past {
                *tensor = self.part("past", "Concat", &[past, tensor], vec![integer("axis", 2)]);
            }
            if self.has_output(output) {
                *tensor = self.part("present", "Identity", &[tensor], Vec::new());
                self.output(output, tensor)?;
                tensor.clone_from(&self.node.output[output]);
            }
        }
        Some(())
    }

    /// Scores, softmax and context; `added` is added to the scores, which are the output `scores`, if there is one.
    fn core(&mut self, all: &Heads, added: Option<&str>, scores: usize) -> Option<String> {
        let keys = self.transpose(&all.key, &[0, 1, 3, 2]);
        let product = self.grouped("scores", &all.query, &keys);
        let product = self.with("Add", product, added);
        let weights = self.part("softmax", "Softmax", &[&product], Vec::new());
        let context = self.grouped("context", &weights, &all.value);
        if self.has_output(scores) {
            self.output(scores, &product)?;
        }
        Some(context)
    }

    /// A product for every head of the left operand, several of which may share one of the right.
    fn grouped(&mut self, part: &str, left: &str, right: &str) -> String {
        let sizes = |writer: &mut Self, of: &str, from: i64, to: i64| {
            writer.part("shape", "Shape", &[of], vec![integer("start", from), integer("end", to)])
        };
        let rest = self.list(&[-1]);
        let (batch_heads, last) = (sizes(self, right, 0, 2), sizes(self, left, 2, 4));
        let axis = || vec![integer("axis", 0)];
        let split = self.part("sizes", "Concat", &[&batch_heads, &rest, &last], axis());
        let groups = self.part("reshape", "Reshape", &[left, &split], Vec::new());
        let shared = self.unsqueeze(right, 2);
        let product = self.part(part, "MatMul", &[&groups, &shared], Vec::new());
        let first = sizes(self, left, 0, 3);
        let merged = self.part("sizes", "Concat", &[&first, &rest], axis());
        self.part("reshape", "Reshape", &[&product, &merged], Vec::new())
    }
}
