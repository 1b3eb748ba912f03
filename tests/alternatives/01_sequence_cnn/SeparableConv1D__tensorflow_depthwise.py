class SeparableConv1D(keras.layers.Layer):
    def __init__(self, filters, kernel_size, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size}

    def build(self, input_shape):
        C = int(input_shape[-1])
        shapes = {
            "depthwise": (self.kernel_size, C),
            "pointwise": (C, self.filters),
            "bias": (self.filters,),
        }
        for name, shape in shapes.items():
            setattr(self, name, self.add_weight(shape=shape, name=name))

    def call(self, x):
        import tensorflow as tf

        image = tf.expand_dims(x, 1)  # (B, 1, T, C)
        kernel = tf.reshape(self.depthwise, (1, self.kernel_size, -1, 1))
        each = tf.squeeze(tf.nn.depthwise_conv2d(image, kernel, [1, 1, 1, 1], "SAME"), 1)
        return tf.nn.bias_add(tf.tensordot(each, self.pointwise, 1), self.bias)
