import tensorflow as tf


def generate(model, prompt, steps):
    size = model.input_shape[1]
    text = tf.cast(prompt, tf.int64)
    for _ in range(steps):
        window = text[:, -size:]
        n = tf.shape(window)[1]
        fed = tf.concat([window, tf.zeros([tf.shape(window)[0], size - n], tf.int64)], axis=1)
        logits = tf.convert_to_tensor(model(fed, training=False))
        text = tf.concat([text, tf.argmax(logits[:, n - 1], axis=-1)[:, None]], axis=1)
    return text
